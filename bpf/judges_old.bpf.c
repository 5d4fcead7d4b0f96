/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The judges for the hooks of portcullis_old.bpf.c. */
#define PCL_OLD_KERNEL 1
#include "judges.bpf.c"
