/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the agent that need no guest: text repair, base64, SHA-256. The agent is a program
 * without a library, so its sources are compiled in here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "scenarios/agent/sha256.c"
#include "scenarios/agent/text.c"

#define BAD "\xef\xbf\xbd"

static void any_bytes_become_a_json_string(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *expected;
	} texts[] = {
		{"plain", 5, "plain"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"a\0b", 3, "a" BAD "b"},
		{"\xff\xfe", 2, BAD BAD},
		{"\xc0\xaf", 2, BAD BAD},		  /* overlong '/' */
		{"\xed\xa0\x80", 3, BAD BAD BAD},	  /* a surrogate */
		{"\xf4\x90\x80\x80", 4, BAD BAD BAD BAD}, /* above U+10FFFF */
		{"\xe2\x82", 2, BAD BAD},		  /* cut short */
		{"", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *text = agt_text_json(texts[i].bytes, texts[i].len);

		assert_non_null(text);
		assert_string_equal(json_string_value(text), texts[i].expected);
		json_decref(text);
	}
}

static void base64_goes_there_and_back(void **state)
{
	static const char *const pairs[][2] = {
		{"", ""},	 {"f", "Zg=="},		 {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *text = NULL;
		void *data = NULL;
		size_t len = 99;

		assert_int_equal(agt_text_to_base64(pairs[i][0], strlen(pairs[i][0]), &text), 0);
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(agt_text_from_base64(text, &data, &len), 0);
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(data, pairs[i][0], len);
		free(text);
		free(data);
	}
}

static void bad_base64_is_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zg=", "Zm9v!", "Z!==", "Zm 9", "Z==="};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		void *data = NULL;
		size_t len;

		assert_int_equal(agt_text_from_base64(bad[i], &data, &len), -EINVAL);
		assert_null(data);
	}
}

static void modes_are_octal_text_or_numbers(void **state)
{
	json_t *request = json_pack("{s:s}", "mode", "0640");
	mode_t mode = 1;

	(void)state;
	assert_int_equal(agt_text_mode(request, 0644, &mode, NULL), 0);
	assert_int_equal(mode, 0640);
	(void)json_object_set_new(request, "mode", json_integer(0700));
	assert_int_equal(agt_text_mode(request, 0644, &mode, NULL), 0);
	assert_int_equal(mode, 0700);
	(void)json_object_set_new(request, "mode", json_string("rwx"));
	assert_int_equal(agt_text_mode(request, 0644, &mode, NULL), -EINVAL);
	(void)json_object_set_new(request, "mode", json_string("77777"));
	assert_int_equal(agt_text_mode(request, 0644, &mode, NULL), -EINVAL);
	(void)json_object_del(request, "mode");
	assert_int_equal(agt_text_mode(request, 0644, &mode, NULL), 0);
	assert_int_equal(mode, 0644);
	json_decref(request);
}

/* The digest, as hexadecimal, of text repeated count times. */
static void digest_of(const char *text, size_t count, char hex[2 * AGT_SHA256_LEN + 1])
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	uint8_t digest[AGT_SHA256_LEN];

	assert_true(fd >= 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(agt_sha256_fd(fd, digest), 0);
	for (size_t i = 0; i < AGT_SHA256_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	(void)close(fd);
}

/* The vectors of FIPS 180-4, and the lengths around a block's end against each other's. */
static void sha256_is_sha256(void **state)
{
	char hex[2 * AGT_SHA256_LEN + 1];

	(void)state;
	digest_of("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_of("abc", 1, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, hex);
	assert_string_equal(hex,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest_of("aaaaaaaaaa", 100000, hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_become_a_json_string),
		cmocka_unit_test(base64_goes_there_and_back),
		cmocka_unit_test(bad_base64_is_refused),
		cmocka_unit_test(modes_are_octal_text_or_numbers),
		cmocka_unit_test(sha256_is_sha256),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
