# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them."""


def number(value, unit=''):
    if value is None:
        return '-'
    for limit, letter, scale in ((1e7, ' M', 1e6), (1e4, ' k', 1e3)):
        if abs(value) >= limit and unit in ('/s', ''):
            return f'{value / scale:.1f}{letter}{unit}'
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    return f'{value:.{digits}f}' + (f' {unit}' if unit and unit != '/s' else unit)


def target(row):
    if row['target'] is None:
        return ''
    return ('≥ ' if row['at_least'] else '≤ ') + f'{row["target"]:g}'


def verdict(row):
    return {True: 'met', False: 'NOT MET', None: ''}[row['met']]


def cells(row):
    ratio = f'{row["ratio"]:.3g}' if row['ratio'] else ''
    other = number(row['other'], row['unit'])
    return [row['what'], number(row['ours'], row['unit']), f'{other} {row["other_name"]}'.strip(),
            ratio, target(row), verdict(row)]


def text(scenario, title, rows):
    lines = [f'{scenario}  {title}']
    for row in rows:
        what, ours, other, ratio, aim, met = cells(row)
        lines.append(f'    {what:<36} {ours:>12}  {other:>20}  {ratio:>7} {aim:>7}  {met}')
    return '\n'.join(lines)


def markdown(rows):
    lines = ['| what | ours | limit or peer | ratio | target | |', '|---|---|---|---|---|---|']
    lines += ['| ' + ' | '.join(cells(row)) + ' |' for row in rows]
    return '\n'.join(lines)
