"""Renders small chat templates with Python's jinja2 and writes what they must give.

    python3 src/test/python/make_template_cases.py

Needs jinja2 3.1. Reads template_cases.txt beside it and writes
src/test/resources/template/cases.json. The environment is the one of Hugging Face's transformers:
sandboxed, trim_blocks, lstrip_blocks, loopcontrols, a generation tag, its tojson, raise_exception and
strftime_now.
"""

import datetime
import json
import pathlib

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 1, 5, 9, 7, 3, 45)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("through")
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def through(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise TemplateError(message)


def environment():
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = NOW.strftime
    return made


def render(template, variables):
    try:
        return {"text": environment().from_string(template).render(**variables)}
    except Exception:  # Python's own errors too: all of them are errors here
        return {"error": True}


def cases():
    """A case is `### name`, perhaps a line `vars: JSON`, then the template as it is."""
    for block in ("\n" + (HERE / "template_cases.txt").read_text()).split("\n### ")[1:]:
        name, _, template = block.partition("\n")
        variables = {}
        if template.startswith("vars: "):
            line, _, template = template.partition("\n")
            variables = json.loads(line.removeprefix("vars: "))
        yield name, template, variables


def main():
    out = []
    for name, template, variables in cases():
        out.append({"name": name, "template": template, "variables": variables} | render(template, variables))
    names = [case["name"] for case in out]
    assert len(names) == len(set(names)), "two cases have one name"
    target = HERE.parent / "resources" / "template" / "cases.json"
    target.write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
    errors = sum("error" in case for case in out)
    print(f"{len(out)} cases, {errors} of them errors")


if __name__ == "__main__":
    main()
