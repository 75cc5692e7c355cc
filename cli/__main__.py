"""`python -m cli`: how the local stack starts the processes of its own installation."""

from cli.main import main

main(prog_name="paretofarm")
