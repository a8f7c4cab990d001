#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""header.py HEADER: the manual page of a public header, in scdoc's markup: its comments are the text,
behind the declarations that they stand above. What a C program does not write is left out: guards,
attributes, bodies, C++."""

import re
import sys
from pathlib import Path

NOISE = re.compile(r'\b(?:CLU_API|CLU_MUST_USE|CLU_INLINE|static inline)\s+')
# What keeps a header in order.
DEFINES = re.compile(r'^#define (?:ERLCLU_\w+_H|CLU_API|CLU_MUST_USE|CLU_INLINE)\b.*\n?', re.MULTILINE)
# A macro that stands for a function: what it becomes is nobody's business.
MACRO = re.compile(r'^#define (clu_\w+\(.*?\))(?:[^\n]*\\\n)*[^\n]*', re.MULTILINE)
SECTION = re.compile(r'---- (.*?) ----', re.DOTALL)


def without_cpp(lines):
    """The lines that a C compiler reads, preprocessor conditions and includes aside."""
    keep, kept = [], []
    for line in lines:
        word = re.match(r'#\s*(\w+)(.*)', line)
        if word is None or word[1] == 'define' and (not keep or keep[-1]):
            if all(keep):
                kept.append(line)
        elif word[1] in ('ifdef', 'ifndef', 'if'):
            keep.append('__cplusplus' not in line)
        elif word[1] == 'else':
            keep[-1] = not keep[-1]
        elif word[1] == 'endif':
            keep.pop()
    return kept


def pieces(text):
    """(comment, code) by turns: each comment at a line's begin with the code below it."""
    parts = re.split(r'^(/\*.*?\*/)[ \t]*$', text, flags=re.DOTALL | re.MULTILINE)
    yield '', parts[0]
    yield from zip(parts[1::2], parts[2::2])


def words(comment):
    """A comment without its frame, as paragraphs: lists of lines."""
    lines = [re.sub(r'^ ?\* ?', '', line) for line in comment[2:-2].splitlines()]
    lines = [line.rstrip() for line in lines if 'SPDX-License-Identifier' not in line]
    return [part.splitlines() for part in re.split(r'\n\s*\n', '\n'.join(lines).strip('\n')) if part.strip()]


def escape(text):
    text = re.sub(r'([\\_*#<>~`\[\]|]|^[-.])', r'\\\1', text)
    return re.sub(r'\b((?:clu|CLU)(?:\\_\w+?)+)\b(?!\\_)', r'*\1*', text)


def paragraph(lines):
    """Indented lines are shown as they are, the rest flows."""
    out, block = [], []
    for line in [*lines, '']:
        if line.startswith('  '):
            block.append(line)
            continue
        if block:
            out += ['', '```', *block, '```', '']
            block = []
        out.append(escape(line.strip()))
    return '\n'.join(out).strip('\n')


def is_body(code):
    return code.lstrip().startswith('static inline') and '{' in code


def declarations(code):
    """The code below a comment, as people should write it; '' when there is nothing to show."""
    chunks = [chunk for chunk in re.split(r'\n\s*\n', code) if chunk.strip() and not is_body(chunk)]
    text = DEFINES.sub('', '\n\n'.join(chunks))
    return NOISE.sub('', MACRO.sub(r'\1;', text)).strip('\n')


def page(path):
    name = f'erlclu-{path.stem}'
    text = '\n'.join(without_cpp(path.read_text().splitlines()))
    out = [f'{name}(3) "erlclu" "Library"', '', '# NAME', '']
    rest = []
    for comment, code in pieces(text):
        section = SECTION.search(comment)
        shown = declarations(code)
        if not out[-1] and not rest and comment and not section:
            head, *body = words(comment)
            summary, _, more = ' '.join(head).rstrip('.').partition('. ')
            body = [[f'{more}.'], *body] if more else body
            out.append(f'{name} - {escape(summary[0].lower() + summary[1:])}')
            rest += ['', '# SYNOPSIS', '', '```', f'#include <erlclu/{path.name}>', '```']
            rest += ['', '# DESCRIPTION'] + [f'\n{paragraph(part)}' for part in body]
            comment = ''
        elif section:
            rest += ['', f'# {section[1].strip().upper()}']
            comment = ''
        if shown:
            rest += ['', '```', shown, '```']
        rest += [f'\n{paragraph(part)}' for part in (words(comment) if comment else [])]
    rest += ['', '# SEE ALSO', '', '*erlclu*(3)']
    return '\n'.join(out + rest) + '\n'


if __name__ == '__main__':
    sys.stdout.write(page(Path(sys.argv[1])))
