# All images of paretofarm: scheduler, worker, agent, phone, dashboard, and cli, which does the rest.
#   docker build --target worker -t paretofarm-worker .
# Dependencies come first and the code last, so that a change of code rebuilds one small layer per image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# What every image runs on. Numbers of users and groups are fixed: volumes and secrets outlive images.
FROM ${PYTHON_IMAGE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
 && groupadd --gid 10001 paretofarm \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/paretofarm --create-home --shell /usr/sbin/nologin paretofarm \
 && install --directory --owner 10001 --group 10001 --mode 0755 \
      /var/lib/paretofarm/artifacts /var/lib/paretofarm/cache /var/lib/paretofarm/adb /farm /farm/data /backups \
 && install --directory --owner 10002 --group 10002 --mode 0700 /var/lib/phone \
 && install --directory --owner 10000 --group 10000 --mode 0755 /run/secrets \
 && install --directory --owner 999 --group 999 --mode 0700 /volumes/postgres \
 && install --directory --owner 999 --group 10005 --mode 0750 /volumes/postgres-socket \
 && install --directory --owner 10006 --group 10006 --mode 0700 /volumes/broker \
 && install --directory --owner 999 --group 999 --mode 0700 /volumes/tls /volumes/tls-authority
ENV PATH=/opt/venv/bin:/opt/paretofarm/bin:$PATH \
    PYTHONPATH=/opt/paretofarm \
    PYTHONUNBUFFERED=1 \
    PARETOFARM_DATA=/var/lib/paretofarm \
    HOME=/var/lib/paretofarm \
    MPLCONFIGDIR=/tmp
WORKDIR /farm
USER 10001:10001
ENTRYPOINT ["tini", "--", "paretofarm"]

# What pip has to install for each image, from pyproject.toml: layers of dependencies change when these lines do.
FROM ${PYTHON_IMAGE} AS requirements
WORKDIR /requirements
COPY deploy/docker/requirements.py pyproject.toml ./
# EXTRAS: for all images, such as s3 (compose.s3.yml).
ARG EXTRAS=
# hadolint ignore=SC2086
RUN python requirements.py pyproject.toml $EXTRAS > core.txt \
 && python requirements.py pyproject.toml embedded agent report > cli.txt \
 && for image in agent dashboard phone scheduler worker; do python requirements.py pyproject.toml "$image" > "$image.txt"; done

# Environments, one per image.
FROM ${PYTHON_IMAGE} AS core-environment
# pip stays outside: it is not needed at run time.
RUN python -m venv --without-pip /opt/venv
ENV PIP_PYTHON=/opt/venv/bin/python \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_FIND_LINKS=/wheels
WORKDIR /build
COPY constraints.txt ./
COPY --from=requirements /requirements/core.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement core.txt --constraint constraints.txt

FROM core-environment AS cli-environment
COPY --from=requirements /requirements/cli.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement cli.txt --constraint constraints.txt

FROM core-environment AS agent-environment
COPY --from=requirements /requirements/agent.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement agent.txt --constraint constraints.txt

FROM core-environment AS dashboard-environment
COPY --from=requirements /requirements/dashboard.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement dashboard.txt --constraint constraints.txt

FROM core-environment AS phone-environment
COPY --from=requirements /requirements/phone.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement phone.txt --constraint constraints.txt

FROM core-environment AS scheduler-environment
COPY --from=requirements /requirements/scheduler.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement scheduler.txt --constraint constraints.txt

# TORCH_INDEX: where torch comes from besides pip's own index. By default PyTorch's builds for CPUs, a tenth of the
# size; empty for what pip's own index has, which on Linux is built for CUDA (compose.gpu.yml).
FROM core-environment AS worker-environment
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY --from=requirements /requirements/worker.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/wheels,target=/wheels \
    pip install --requirement worker.txt --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"}

# Our own code, without its dependencies.
FROM core-environment AS package
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY dashboard dashboard
COPY db db
COPY device_agents device_agents
COPY paretofarm paretofarm
COPY scheduler scheduler
COPY workers workers
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --compile --target /opt/paretofarm .

FROM runtime AS cli
COPY --from=cli-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
CMD ["--help"]

FROM runtime AS scheduler
COPY --from=scheduler-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
ENV PARETOFARM_METRICS=0.0.0.0:9464
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-P", "-m", "cli.health"]
CMD ["scheduler"]

FROM runtime AS agent
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libusb-1.0-0 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
USER 10001:10001
COPY --from=agent-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
ENV PARETOFARM_METRICS=0.0.0.0:9464
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-P", "-m", "cli.health"]
CMD ["agent", "--help"]

FROM runtime AS dashboard
COPY --from=dashboard-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["dashboard", "--host", "0.0.0.0", "--port", "8080", "--no-data-check"]

FROM runtime AS phone
COPY --from=phone-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
ENV PARETOFARM_DATA=/var/lib/phone \
    HOME=/var/lib/phone
USER 10002:10002
EXPOSE 5555
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 5555), 3).close()"]
CMD ["phone", "--port", "5555"]

FROM runtime AS worker
COPY --from=worker-environment /opt/venv /opt/venv
COPY --from=package /opt/paretofarm /opt/paretofarm
ENV PARETOFARM_METRICS=0.0.0.0:9464
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-P", "-m", "cli.health"]
CMD ["worker"]
