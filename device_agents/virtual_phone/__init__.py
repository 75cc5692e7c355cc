"""A phone without silicon: a real ADB device on loopback, whose shell and processor are this machine's.

**Its shell is the user's own shell.** Whoever may open a connection may run anything as the user who started the
phone. It therefore listens on 127.0.0.1 only, and where other people use the same machine it must be started with
`--require-auth`, as `paretofarm up` does: then only the holder of an authorised RSA key gets in, as on a phone.

What is real: the ADB protocol, files, processes, and the time that a network takes on this machine's processor.
What is simulated: the name, the properties, temperature, battery and storage (`state.PhoneState`); everything
measured here is the latency of a simulated phone (`ro.paretofarm.simulated=1`).

Paths of the phone (`/data`, `/sdcard`, `/system`, `/vendor`) lie below a private root folder. In a command's text
they are replaced by their place on this machine, and back again in its output; the rest of the file system is this
machine's. `pull` and `push` see the root folder only. A shell without a command works by the line and has no terminal.
"""
