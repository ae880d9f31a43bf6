"""Asks the oras package to log in, push or pull: log_in_oras.py COMMAND CREDENTIALS-FILE [ARGUMENT]..."""

import json
import os
import sys

import oras.client
import oras.main.login


def login(credentials, host, user):
    """Notes user and password, as the package does where no Docker is at hand."""
    password = sys.stdin.read()
    oras.main.login.DockerClient().login(user, password, host, dockercfg_path=credentials)


def logout(credentials, host):
    noted = noted_in(credentials)
    noted["auths"].pop(host, None)
    with open(credentials, "w") as file:
        json.dump(noted, file)


def push(credentials, reference, file):
    # With tokens it asks for one to read, and never for another: https://github.com/oras-project/oras-py/issues/187
    backend = "basic" if is_logged_in(credentials) else "token"
    oras.client.OrasClient(insecure=True, auth_backend=backend).push(
        target=reference,
        files=[file],
        config_path=credentials,
        disable_path_validation=True,
    )


def pull(credentials, reference, folder):
    oras.client.OrasClient(insecure=True).pull(target=reference, outdir=folder, config_path=credentials)


def is_logged_in(credentials):
    return os.path.exists(credentials) and bool(noted_in(credentials)["auths"])


def noted_in(credentials):
    with open(credentials) as file:
        return json.load(file)


command, *arguments = sys.argv[1:]
{"login": login, "logout": logout, "push": push, "pull": pull}[command](*arguments)
