/* SPDX-License-Identifier: MIT */
#include "flat.h"

void flat_tell(struct finding *finding, const struct load *load, const char *so)
{
        struct words most = words_counted(load->most, "request", "requests");

        if (load->answer != LOAD_FLAT)
                return;
        if (load->is_together)
                finding_evidence(finding,
                        "the first %s, which were in flight together, were answered after %s to %s%s",
                        most.text, words_ns(load->row_low_ns).text,
                        words_ns(load->row_high_ns).text, so);
        else
                finding_evidence(finding,
                        "a response took %s with %s in flight, and %s with only a few%s",
                        words_ns(load->many_ns).text, most.text, words_ns(load->few_ns).text, so);
}
