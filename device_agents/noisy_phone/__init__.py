"""A phone that exists in numbers only: true latencies that are known, and all that keeps them from being seen.

It stands behind the same `DeviceRuntime` port as a phone that is measured, with a clock of its own: what runs on it is
the real `Measurement`, and hours of it take seconds. For tests of the protocol and `benchmarks/measurement_protocol`;
never for numbers about networks.
"""

from device_agents.noisy_phone.phone import Network, NoisyPhone
from device_agents.noisy_phone.regime import BAD, CALM, REGIMES, TYPICAL, Bursts, Regime
from device_agents.noisy_phone.runtime import NO_LINK, NoisyRuntime

__all__ = ["BAD", "CALM", "NO_LINK", "REGIMES", "TYPICAL", "Bursts", "Network", "NoisyPhone", "NoisyRuntime", "Regime"]
