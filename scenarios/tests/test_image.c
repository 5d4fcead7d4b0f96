/* SPDX-License-Identifier: Apache-2.0 */
/* What real images need and can be tried without one: checksums, GPT, boot configuration. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/bottlerocket.h"
#include "scenarios/runner/digest.h"
#include "scenarios/runner/gpt.h"
#include "scenarios/runner/place.h"
#include "scenarios/runner/tool.h"
#include "scenarios/runner/tuf_key.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void finds_only_the_file_itself(void **state)
{
	static const char sums[] =
		HEX_A "  disk.img.xz\n" HEX_B " *folder/disk.img\r\n" HEX_A "  other-disk.img\n";
	char hex[GNT_SHA256_HEX_SIZE];

	(void)state;
	assert_int_equal(gnt_sums_find(sums, "disk.img", hex, NULL), 0);
	assert_string_equal(hex, HEX_B);
	assert_int_equal(gnt_sums_find(sums, "disk", hex, NULL), -ENOENT);
	assert_int_equal(gnt_sums_find("", "disk.img", hex, NULL), -ENOENT);
}

static void refuses_sums_that_contradict(void **state)
{
	char hex[GNT_SHA256_HEX_SIZE];

	(void)state;
	assert_int_equal(gnt_sums_find(HEX_A "  d\n" HEX_B "  d\n", "d", hex, NULL), -EINVAL);
	assert_int_equal(gnt_sums_find(HEX_A "  d\n" HEX_A "  d\n", "d", hex, NULL), 0);
	assert_int_equal(gnt_sums_find("SHA256 (d) = x" HEX_A "/d\n", "d", hex, NULL), -EINVAL);
}

static void put_le(unsigned char *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

/* A table whose entry number index is a partition; sectors first to last. */
static void make_gpt(unsigned char *table, int index, const char *name, uint64_t first,
		     uint64_t last)
{
	unsigned char *entry = table + 2 * GNT_SECTOR + index * 128;

	memset(table, 0, GNT_GPT_SECTORS * GNT_SECTOR);
	memcpy(table + GNT_SECTOR, "EFI PART", 8);
	put_le(table + GNT_SECTOR + 72, 2, 8);
	put_le(table + GNT_SECTOR + 80, 128, 4);
	put_le(table + GNT_SECTOR + 84, 128, 4);
	put_le(entry + 32, first, 8);
	put_le(entry + 40, last, 8);
	for (size_t i = 0; name[i]; i++)
		entry[56 + 2 * i] = (unsigned char)name[i];
}

static void finds_a_partition_by_name(void **state)
{
	unsigned char table[GNT_GPT_SECTORS * GNT_SECTOR];
	uint64_t offset = 0, size = 0;

	(void)state;
	make_gpt(table, 127, "BOTTLEROCKET-PRIVATE", 2048, 4095);
	assert_int_equal(gnt_gpt_find(table, sizeof(table), "BOTTLEROCKET-PRIVATE", &offset, &size),
			 0);
	assert_int_equal(offset, 1 << 20);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(gnt_gpt_find(table, sizeof(table), "BOTTLEROCKET", &offset, &size),
			 -ENOENT);
	/* A table that lies is not read beyond its end. */
	put_le(table + GNT_SECTOR + 80, UINT32_MAX, 4);
	assert_int_equal(gnt_gpt_find(table, sizeof(table), "x", &offset, &size), -EBADMSG);
	put_le(table + GNT_SECTOR, 0, 8);
	assert_int_equal(gnt_gpt_find(table, sizeof(table), "x", &offset, &size), -EBADMSG);
}

static void boot_configuration_ends_as_the_kernel_wants(void **state)
{
	pcl_autofree unsigned char *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(gnt_bootconfig("abcd", &data, &len), 0);
	/* Text, NUL and padding are 8 bytes; 'a'+'b'+'c'+'d' is 0x18a. */
	assert_int_equal(len, 8 + 8 + 12);
	assert_memory_equal(data, "abcd\0\0\0\0\x08\0\0\0\x8a\x01\0\0#BOOTCONFIG\n", len);
}

/* An image's disk with one partition, which is an ext4; in dir. */
static void make_disk(const char *dir, char *disk, size_t size)
{
	char raw[512], part[512], command[2200];
	unsigned char table[GNT_GPT_SECTORS * GNT_SECTOR];
	FILE *file;

	(void)snprintf(raw, sizeof(raw), "%s/raw", dir);
	(void)snprintf(part, sizeof(part), "%s/part", dir);
	(void)snprintf(disk, size, "%s/disk.qcow2", dir);
	file = fopen(part, "w");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 4 << 20), 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(gnt_tool_run((const char *const[]){"mkfs.ext4", "-q", "-F", part, NULL},
				      -1, NULL, NULL),
			 0);
	make_gpt(table, 3, "BOTTLEROCKET-PRIVATE", 2048, 2048 + (4 << 20) / GNT_SECTOR - 1);
	file = fopen(raw, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(table, 1, sizeof(table), file), sizeof(table));
	assert_int_equal(ftruncate(fileno(file), 8 << 20), 0);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(command, sizeof(command),
		       "dd if=%s of=%s bs=1M seek=1 conv=notrunc status=none && "
		       "qemu-img convert -f raw -O qcow2 %s %s",
		       part, raw, raw, disk);
	assert_int_equal(gnt_tool_run((const char *const[]){"sh", "-c", command, NULL}, -1, NULL,
				      NULL),
			 0);
}

static void bottlerocket_gets_its_files(void **state)
{
	char dir[] = "/tmp/test_image.XXXXXX", disk[512], overlay[600], command[2048];
	struct gnt_image image = {.id = "test", .user_data = "[settings.kernel]\n"};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = NULL;
	char hex[GNT_SHA256_HEX_SIZE], again[GNT_SHA256_HEX_SIZE];

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_disk(dir, disk, sizeof(disk));
	assert_int_equal(gnt_sha256_file(disk, hex, NULL), 0);
	(void)snprintf(overlay, sizeof(overlay), "%s/overlay.qcow2", dir);
	if (gnt_bottlerocket_overlay(&image, disk, overlay, dir, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	(void)snprintf(command, sizeof(command),
		       "qemu-img convert -f qcow2 -O raw %s %s/out && "
		       "dd if=%s/out of=%s/fs bs=1M skip=1 count=4 status=none && "
		       "e2fsck -fn %s/fs >&2 && debugfs -R 'cat user-data.toml' %s/fs && "
		       "debugfs -R 'cat bootconfig.data' %s/fs | tail -c 12 && "
		       "debugfs -R 'cat net.toml' %s/fs",
		       overlay, dir, dir, dir, dir, dir, dir, dir);
	if (gnt_tool_run((const char *const[]){"sh", "-c", command, NULL}, -1, &text, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	assert_non_null(strstr(text, "hostname = \"gauntlet\"\n[settings.kernel]\n#BOOTCONFIG\n"));
	assert_non_null(strstr(text, "dhcp4 = true"));
	assert_int_equal(gnt_sha256_file(disk, again, NULL), 0);
	assert_string_equal(hex, again);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(gnt_tool_run((const char *const[]){"sh", "-c", command, NULL}, -1, NULL,
				      NULL),
			 0);
}

static void canonical_json_is_sorted_and_plain(void **state)
{
	json_t *value = json_loads("{\"b\": [1, true, null], \"a\": \"x\\n\\\"\\\\\"}", 0, NULL);
	json_t *fraction = json_loads("[1.5]", 0, NULL);
	pcl_autofree char *text = NULL, *none = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(gnt_tuf_canonical(value, &text, &len), 0);
	assert_string_equal(text, "{\"a\":\"x\n\\\"\\\\\",\"b\":[1,true,null]}");
	assert_int_equal(gnt_tuf_canonical(fraction, &none, &len), -EINVAL);
	json_decref(value);
	json_decref(fraction);
}

static void places_move_whole_paths_only(void **state)
{
	json_t *request =
		json_pack("{s:s, s:[s, s], s:i}", "op", "exec", "argv", "/opt/gauntlet/attacks/run",
			  "a=/opt/gauntlet:/x/opt/gauntlet/y "
			  "/opt/gauntlets \"/opt/gauntlet\"",
			  "uid", 3);
	json_t *moved = gnt_place_move(request, "/var/lib/google/g");
	const json_t *argv = json_object_get(moved, "argv");

	(void)state;
	assert_string_equal(json_string_value(json_array_get(argv, 0)),
			    "/var/lib/google/g/attacks/run");
	assert_string_equal(json_string_value(json_array_get(argv, 1)),
			    "a=/var/lib/google/g:/x/opt/gauntlet/y /opt/gauntlets "
			    "\"/var/lib/google/g\"");
	assert_int_equal(json_integer_value(json_object_get(moved, "uid")), 3);
	json_decref(moved);
	json_decref(request);
}

static void tools_say_what_went_wrong(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	(void)state;
	assert_int_equal(gnt_tool_run((const char *const[]){"no-such-tool-at-all", NULL}, -1, NULL,
				      &diag),
			 -ENOENT);
	assert_non_null(strstr(pcl_diag_text(&diag), "not installed"));
	assert_int_equal(gnt_tool_run((const char *const[]){"sh", "-c",
							    "echo a >&2; echo the end >&2; exit 3",
							    NULL},
				      -1, NULL, &diag),
			 -EREMOTEIO);
	assert_string_equal(pcl_diag_text(&diag), "sh, exit status 3: the end");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_only_the_file_itself),
		cmocka_unit_test(refuses_sums_that_contradict),
		cmocka_unit_test(finds_a_partition_by_name),
		cmocka_unit_test(boot_configuration_ends_as_the_kernel_wants),
		cmocka_unit_test(bottlerocket_gets_its_files),
		cmocka_unit_test(canonical_json_is_sorted_and_plain),
		cmocka_unit_test(places_move_whole_paths_only),
		cmocka_unit_test(tools_say_what_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
