# The base is pinned by the digest of its index, which Renovate moves together with the tag (renovate.json); deploy/ pins
# what is built here by digest, too. Everything from PyPI is checked by hash, the build's own tools as well.
FROM python:3.11.17-slim-trixie@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy
WORKDIR /src
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /opt/tools \
    && /opt/tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt \
    && python -m venv --without-pip /opt/pult \
    && /opt/tools/bin/uv pip install --quiet --python /opt/pult/bin/python --require-hashes --no-build -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
# Libraries bring their own tests, pydo an asynchronous twin that pult does not call, babel all of the world's languages.
# Bytecode is written here: where pult runs nothing may be written.
RUN /opt/tools/bin/python -m hatchling build -t wheel -d /opt/wheel \
    && /opt/tools/bin/uv pip install --quiet --python /opt/pult/bin/python --no-deps --no-index /opt/wheel/*.whl \
    && find /opt/pult/lib -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} + \
    && rm -rf /opt/pult/lib/python3.11/site-packages/pydo/aio \
    && find /opt/pult/lib/python3.11/site-packages/babel/locale-data -name '*.dat' ! -name 'en*' ! -name 'ru*' ! -name 'root.dat' -delete \
    && /opt/pult/bin/python -m compileall -q -j 0 /opt/pult/lib

FROM python:3.11.17-slim-trixie@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51
LABEL org.opencontainers.image.title="pult" \
      org.opencontainers.image.description="Alerts, SLOs, approvals and operations of an infrastructure department, in its chats" \
      org.opencontainers.image.source="https://github.com/dept/pult" \
      org.opencontainers.image.documentation="https://github.com/dept/pult/tree/main/docs" \
      org.opencontainers.image.vendor="dept" \
      org.opencontainers.image.licenses="Apache-2.0"
# What is not there has no vulnerabilities: nothing is installed where pult runs.
RUN groupadd --gid 10001 pult && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data pult \
    && install -d -o pult -g pult /data \
    && rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip*
COPY --from=build /opt/pult /opt/pult
# A home that can be written, whichever user runs it: libraries look for one.
ENV PATH=/opt/pult/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import sys, urllib.request as r; sys.exit(r.urlopen('http://127.0.0.1:8080/healthz', timeout=2).status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pult"]
CMD ["run", "--config", "/etc/pult/pult.toml"]
