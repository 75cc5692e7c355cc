"""The real jobs' process with one more job, which does nothing: for measuring what isolation costs."""

from workers import jobs

warm_up = jobs.warm_up

JOBS = {**jobs.JOBS, "idle": lambda parameters, emit: {}}
