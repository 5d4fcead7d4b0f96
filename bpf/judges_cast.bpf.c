/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The judges for the hooks of portcullis_cast.bpf.c. */
#define PCL_RDONLY_CAST 1
#include "judges.bpf.c"
