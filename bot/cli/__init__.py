"""The operator's command line: `./candour …`, and the processes it starts and watches."""
