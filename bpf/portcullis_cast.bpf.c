/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same programs for kernels with bpf_rdonly_cast (from 6.2), which reads without a call
 * (read.h). Compiled by itself, since a program with both ways would take four times as long to
 * load.
 */
#define PCL_RDONLY_CAST 1
#include "portcullis.bpf.c"
