"""`python -m cli`: how the local stack starts the processes of its own installation."""

from cli.entry import main

main()
