"""The HTTP API from Python, with nothing but the standard library; pandas where a DataFrame is asked for.

from paretofarm.client import connect
faces = connect("http://127.0.0.1:8080", token="pf_…").search("faces-demo")
faces.candidates(where="latency_ms < 4", sort="-miou").to_pandas()
faces.front(device="virtual").to_pandas()
"""

from paretofarm.client.candidates import Candidates
from paretofarm.client.connection import ApiError
from paretofarm.client.farm import Farm, connect
from paretofarm.client.search import Search

__all__ = ["ApiError", "Candidates", "Farm", "Search", "connect"]
