/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that the exec measurement runs: static, a few kilobytes, ends at once. Whatever it
 * did would be measured, so it must do nothing.
 */
int main(void)
{
	return 0;
}
