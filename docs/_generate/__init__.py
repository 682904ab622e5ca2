"""Writes the reference pages and the pictures from the code: `python -m docs._generate`.

Each module has the pages of one source: the configuration's model, the command line's parser, the
metrics, the dialplan, the OpenAPI document, the tables, the transition tables. `blocks` is not a
generator: it is how the tests read the code blocks of all pages.
"""
