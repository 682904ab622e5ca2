"""Packaging. Tool settings are in pyproject.toml."""

from setuptools import find_packages, setup

DOCS = ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10"]

setup(
    name="telealarm",
    version="0.2.0",
    description="Calls people at the right moment, asks a question, and stores the answer.",
    license="MIT",
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["telealarm", "telealarm.*"]),
        "telealarm.sounds",
        "telealarm.examples",
        "telealarm.config_files",
        "telealarm.dialplan_files",
    ],
    # The default prompts, the examples and the files that `telealarm init` writes live at the top
    # level, where an operator looks for them, and are installed as packages below telealarm.
    package_dir={
        "telealarm": "telealarm",
        "telealarm.sounds": "sounds",
        "telealarm.examples": "config/examples",
        "telealarm.config_files": "config",
        "telealarm.dialplan_files": "dialplan",
    },
    package_data={
        "telealarm": ["py.typed"],
        "telealarm.i18n": ["languages/*.yml"],
        "telealarm.sounds": ["*/*.wav", "*/*.wav16"],
        "telealarm.examples": ["*.yml"],
        "telealarm.config_files": ["telealarm.yml", "phone.conf", "*.service", "asterisk/*.conf"],
        "telealarm.dialplan_files": ["*.conf"],
    },
    install_requires=[
        # Lets aiohttp ask name servers without a thread for each question.
        "aiodns>=3.5",
        "aiohttp>=3.14",
        "aiosmtplib>=3",
        "argon2-cffi>=23.1",
        "audioop-lts; python_version >= '3.13'",
        "babel>=2.15",
        # Encrypts the secrets in the database (Fernet), and derives their keys (HKDF).
        "cryptography>=43",
        # Public holidays of countries and regions; imported when a calendar setting names one.
        "holidays>=0.60",
        "icalendar>=7",
        "panoramisk>=1.4",
        "peewee>=4.5",
        # The numbering plans of all regions, and their emergency numbers.
        "phonenumbers>=9",
        "prometheus-client>=0.20",
        "psycopg[binary]>=3.2",
        "pydantic>=2.9",
        "python-dateutil>=2.9",
        "pyyaml>=6",
        "recurring-ical-events>=3.3",
        # Holds swagger-ui itself, for the explorer of the API.
        "swagger-ui-py>=25.7.1",
        "tzdata",
    ],
    extras_require={
        # What `make docs` builds the pages with; the tests build them too.
        "docs": DOCS,
        "test": [
            *DOCS,
            "aiosmtpd",
            "coverage[toml]>=7",
            # Reads the nginx blocks of the pages: an unknown or misplaced directive is an error.
            "crossplane",
            "hypothesis",
            "jsonschema",
            "mypy",
            "openapi-spec-validator",
            "pocketsphinx>=5",
            "pytest>=8",
            "pytest-asyncio>=0.24",
            "pytest-xdist",
            # A CalDAV server, for calendar feeds.
            "radicale>=3.3",
            "requests",
            "ruff",
            "schemathesis>=4",
            "selenium>=4.20",
            # Checks the signatures of webhooks; an implementation that is not ours.
            "standardwebhooks>=1.0",
            "time-machine",
            "trustme",
            "types-PyYAML",
            "types-python-dateutil",
        ],
    },
    entry_points={"console_scripts": ["telealarm=telealarm.cli.main:main"]},
)
