"""The algorithms that an experiment file can name. A new one is a file beside these and a line in the union."""

from typing import Annotated

from pydantic import Field

from paretofarm.algorithms.evolution_pareto import EvolutionPareto
from paretofarm.algorithms.listed import Listed
from paretofarm.algorithms.local_search import LocalSearch
from paretofarm.algorithms.nsga2 import Nsga2
from paretofarm.algorithms.port import Origin, Proposal, SearchAlgorithm
from paretofarm.algorithms.random import RandomSearch
from paretofarm.algorithms.regularized_evolution import RegularizedEvolution
from paretofarm.algorithms.surrogate_pareto import SurrogatePareto

AlgorithmSettings = Annotated[
    RandomSearch | EvolutionPareto | Nsga2 | RegularizedEvolution | LocalSearch | SurrogatePareto | Listed,
    Field(discriminator="type"),
]

__all__ = [
    "AlgorithmSettings",
    "EvolutionPareto",
    "Listed",
    "LocalSearch",
    "Nsga2",
    "Origin",
    "Proposal",
    "RandomSearch",
    "RegularizedEvolution",
    "SearchAlgorithm",
    "SurrogatePareto",
]
