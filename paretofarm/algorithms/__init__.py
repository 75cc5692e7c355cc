"""The algorithms that an experiment file can name. A new one is a file beside these and a line in the union."""

from typing import Annotated

from pydantic import Field

from paretofarm.algorithms.evolution_pareto import EvolutionPareto
from paretofarm.algorithms.port import Origin, Proposal, SearchAlgorithm
from paretofarm.algorithms.random import RandomSearch

AlgorithmSettings = Annotated[RandomSearch | EvolutionPareto, Field(discriminator="type")]

__all__ = ["AlgorithmSettings", "EvolutionPareto", "Origin", "Proposal", "RandomSearch", "SearchAlgorithm"]
