/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as policies name them: bytes, absolute, in one spelling. Text only, no file system.
 */
#ifndef PCL_POLICY_PATH_H
#define PCL_POLICY_PATH_H

/*
 * Normalises an absolute path: doubled and trailing slashes and "." components go ("/" stays). 0
 * and a new string, or -EINVAL with *ret_reason (static text): not absolute, "..", longer than the
 * kernel can name; or -ENOMEM.
 */
int pcl_path_normalise(const char *path, char **ret_path, const char **ret_reason);

#endif
