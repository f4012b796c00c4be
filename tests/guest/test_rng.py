# SPDX-License-Identifier: Apache-2.0
"""The entropy device, and queues in general."""

import vmm


def test_rng():
    vmm.run("rng", entropy=True).require(
        "queue-max",
        "largest",
        "bounded",
        "parts-len",
        "wrap",
        "wrap-order",
        "interrupt",
        "no-status",
        "event-reached",
        "avail-event",
        "sizes",
    )
