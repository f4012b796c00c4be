# SPDX-License-Identifier: Apache-2.0
"""Tables of what was measured, how, and whether the goal is met.

A goal never fails a run: figures depend on the machine and on who else uses
it. `verdicts` collects them for the last line.
"""

verdicts = []


class Goal:
    def __init__(self, limit, digits=2):
        self.limit = limit
        self._digits = digits

    def text(self):
        return f"<= {self.limit:.{self._digits}f}"

    def judge(self, value):
        return "met" if value <= self.limit else "MISSED"


class Table:
    """Rows of (what, measured, goal, verdict), printed at once."""

    def __init__(self, number, title, unit, how):
        self._head = f"Row {number}: {title}   [{unit}]"
        self._number = number
        self._how = how
        self._rows = []
        self._notes = []

    def add(self, what, figure, goal=None, digits=2):
        """figure: a Figure or a number, in the table's unit."""
        value = getattr(figure, "median", figure)
        text = figure.text(digits) if hasattr(figure, "text") else (
            f"{figure:.{digits}f}"
        )
        verdict = goal.judge(value) if goal else ""
        if goal:
            verdicts.append((self._number, what.strip(), verdict))
        self._rows.append((what, text, goal.text() if goal else "", verdict))

    def note(self, text):
        self._notes.append(text)

    def show(self):
        rows = [("", "measured", "goal", ""), *self._rows]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        print(f"\n{self._head}\n  {self._how}")
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths)]
            print(("  " + "  ".join(cells)).rstrip())
        for text in self._notes:
            print(f"  {text}")
        print(end="", flush=True)


def show_verdicts():
    missed = [f"row {n}: {what}" for n, what, v in verdicts if v != "met"]
    print(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} goals met")
    for text in missed:
        print(f"  missed: {text}")
