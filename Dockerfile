# syntax=docker/dockerfile:1
# Tags are pinned to a patch release; deploy/ pins the built image by digest.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy
WORKDIR /src
RUN python -m venv /opt/pult && /opt/pult/bin/pip install uv==0.13.9
COPY requirements/run.txt requirements/run.txt
RUN /opt/pult/bin/uv pip install --python /opt/pult/bin/python --require-hashes --compile-bytecode -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
RUN /opt/pult/bin/uv pip install --python /opt/pult/bin/python --no-deps --compile-bytecode . \
    && /opt/pult/bin/uv pip uninstall --python /opt/pult/bin/python uv

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="pult" \
      org.opencontainers.image.description="Alerts, SLOs, approvals and operations of an infrastructure department, in its chats" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 pult && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data pult \
    && install -d -o pult -g pult /data
COPY --from=build /opt/pult /opt/pult
ENV PATH=/opt/pult/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import sys, urllib.request as r; sys.exit(r.urlopen('http://127.0.0.1:8080/healthz', timeout=2).status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pult"]
CMD ["run", "--config", "/etc/pult/pult.toml"]
