"""How much hypervolume search algorithms reach with how many evaluations, on tables whose whole truth is known."""
