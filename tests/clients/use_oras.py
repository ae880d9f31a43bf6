"""Asks the oras package to push, pull or delete: use_oras.py COMMAND REFERENCE [ARGUMENT]..."""

import sys

import oras.client
import oras.container
import oras.oci


def push(reference, *files, subject=None, do_chunked=False):
    client().push(
        target=reference,
        files=list(files),
        subject=subject,
        do_chunked=do_chunked,
        chunk_size=4 * 1024 * 1024,
        disable_path_validation=True,
    )


def push_in_chunks(reference, *files):
    push(reference, *files, do_chunked=True)


def attach(reference, subject, *files):
    """Pushes an artifact that refers to `subject`."""
    manifest = client().get_manifest(oras.container.Container(subject))
    push(reference, *files, subject=oras.oci.Subject.from_manifest(manifest))


def pull(reference, folder):
    client().pull(target=reference, outdir=folder)


def delete(reference, tag):
    assert client().delete_tags(reference, tag) == [tag]


def tags(reference):
    print("\n".join(client().get_tags(reference)))


def client():
    return oras.client.OrasClient(insecure=True)


COMMANDS = {
    "push": push,
    "push-in-chunks": push_in_chunks,
    "attach": attach,
    "pull": pull,
    "delete": delete,
    "tags": tags,
}

command, *arguments = sys.argv[1:]
COMMANDS[command](*arguments)
