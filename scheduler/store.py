"""What a search's plan is written to and read from: Postgres, or the memory of a simulation."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from db import candidates, events, experiments, racing
from db.candidates import Architectures, CandidateState
from db.cost import spent
from db.curves import curves
from db.events import EventKind
from db.finishing import begin_final
from db.latencies import LatencyFeed
from db.warm_start import earlier_searches
from paretofarm.algorithms import Proposal
from paretofarm.architecture import Architecture
from paretofarm.capacity import NOBODY, Capacity
from paretofarm.cost import Spent
from paretofarm.experiment import Experiment
from paretofarm.fidelity import Promotion
from paretofarm.final import Final
from paretofarm.history import History, Member
from paretofarm.lifecycle import Step, Verdict
from paretofarm.racing import Contested, Repeated
from paretofarm.shared_latency import MeasuredLatency
from paretofarm.warm_start import Earlier


class SearchStore(Protocol):
    """One search, within one tick. Each method as the function of that name in `db`."""

    @property
    def capacity(self) -> Capacity:
        """Of the farm, as it is now."""

    def in_flight(self) -> Sequence[CandidateState]: ...

    def members(self, known: Collection[int]) -> Sequence[Member]: ...

    def architectures(self, inherited: Mapping[int, Architecture] | None) -> Mapping[int, Architecture]:
        """Those of the search and, by numbers below 0, those inherited."""

    def curves(self, numbers: Collection[int]) -> Mapping[int, dict[str, list[float]]]: ...

    def earlier_searches(self, experiment: Experiment) -> Sequence[Earlier]: ...

    def fresh_latencies(self, feed: LatencyFeed) -> Sequence[MeasuredLatency]:
        """What other searches have measured since the feed was read last."""

    def give_up_repetitions(self) -> None: ...

    def repeated(self) -> Sequence[Repeated]: ...

    def measure_again(self, chosen: Sequence[Contested]) -> int: ...

    def spent(self) -> Spent:
        """What the search has used until now."""

    def propose(self, proposals: Sequence[Proposal]) -> int:
        """How many of them were new."""

    def remark(self, text: str) -> None:
        """What the algorithm has to say."""

    def last_remark(self) -> str | None:
        """What it said last; None where it never has."""

    def queue(self, candidate_id: int, steps: Sequence[Step]) -> None: ...

    def pause(self, candidate_id: int) -> None: ...

    def promote(self, promotion: Promotion) -> None: ...

    def finish(self, candidate_id: int, verdict: Verdict) -> None: ...

    def stop(self, reason: str) -> bool:
        """False where it had stopped already."""

    def end(self, reason: str | None) -> None:
        """The search is over."""

    def begin_final(self, history: History, final: Final) -> None:
        """A search of its own trains the best to the end. ConfigError where there is nothing to train."""


@dataclass(frozen=True)
class DatabaseStore:
    """In the caller's transaction."""

    session: Session
    experiment_id: int
    capacity: Capacity = NOBODY

    def in_flight(self) -> Sequence[CandidateState]:
        return candidates.in_flight(self.session, self.experiment_id)

    def members(self, known: Collection[int]) -> Sequence[Member]:
        return candidates.members(self.session, self.experiment_id, known=known)

    def architectures(self, inherited: Mapping[int, Architecture] | None) -> Mapping[int, Architecture]:
        return Architectures(self.session, self.experiment_id, inherited)

    def curves(self, numbers: Collection[int]) -> Mapping[int, dict[str, list[float]]]:
        return curves(self.session, self.experiment_id, numbers)

    def earlier_searches(self, experiment: Experiment) -> Sequence[Earlier]:
        return earlier_searches(self.session, experiment)

    def fresh_latencies(self, feed: LatencyFeed) -> Sequence[MeasuredLatency]:
        return feed.read(self.session)

    def give_up_repetitions(self) -> None:
        racing.give_up_repetitions(self.session, self.experiment_id)

    def repeated(self) -> Sequence[Repeated]:
        return racing.repeated(self.session, self.experiment_id)

    def measure_again(self, chosen: Sequence[Contested]) -> int:
        return racing.measure_again(self.session, self.experiment_id, chosen)

    def spent(self) -> Spent:
        return spent(self.session, self.experiment_id)

    def propose(self, proposals: Sequence[Proposal]) -> int:
        return len(candidates.propose(self.session, self.experiment_id, proposals))

    def remark(self, text: str) -> None:
        kind, details = EventKind.ALGORITHM_REMARKED, {"remark": text}
        events.record(self.session, kind, experiment_id=self.experiment_id, details=details)

    def last_remark(self) -> str | None:
        kinds = [EventKind.ALGORITHM_REMARKED]
        found = events.latest(self.session, kinds=kinds, experiment_id=self.experiment_id, limit=1)
        return str(found[0].details["remark"]) if found else None

    def queue(self, candidate_id: int, steps: Sequence[Step]) -> None:
        candidates.queue(self.session, candidate_id, steps)

    def pause(self, candidate_id: int) -> None:
        candidates.pause(self.session, candidate_id)

    def promote(self, promotion: Promotion) -> None:
        candidates.promote(self.session, self.experiment_id, promotion)

    def finish(self, candidate_id: int, verdict: Verdict) -> None:
        candidates.finish(self.session, candidate_id, verdict)

    def stop(self, reason: str) -> bool:
        return experiments.stop(self.session, self.experiment_id, reason=reason)

    def end(self, reason: str | None) -> None:
        experiments.finish(self.session, self.experiment_id, reason=reason)

    def begin_final(self, history: History, final: Final) -> None:
        begin_final(self.session, experiments.get(self.session, self.experiment_id), final, history=history)
