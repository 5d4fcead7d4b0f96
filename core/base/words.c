/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The word that was probably meant: edit distance over a short list of known words.
 *
 * Case is ignored, so that "matchpaths" finds "matchPaths". Only for messages; nothing may be
 * decided by it.
 */
#include <ctype.h>
#include <string.h>

#include "base/yaml.h"

/* A beginning this long is taken for the whole word: "exec" finds "execute". */
#define BEGINNING_LEN_MIN 3
/* Longer than any word of the language; a longer one gets no suggestion. */
#define WORD_LEN_MAX 48

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insert, delete, replace, and swap of neighbours, each at a cost of one. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_LEN_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	memset(rows, 0, sizeof(rows));
	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		int ca = tolower((unsigned char)a[i - 1]);
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			int cb = tolower((unsigned char)b[j - 1]);

			row[j] =
				smaller(last[j - 1] + (ca != cb), smaller(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

static const char *by_beginning(const char *word, size_t word_len, const char *const *known)
{
	if (word_len < BEGINNING_LEN_MIN)
		return NULL;
	for (; *known; known++)
		if (!strncasecmp(*known, word, word_len))
			return *known;
	return NULL;
}

const char *pcl_nearest_word(const char *word, const char *const *known)
{
	size_t word_len = strlen(word), best_distance;
	const char *best = NULL;

	if (!word_len || word_len > WORD_LEN_MAX)
		return NULL;
	/* A longer word may hold more mistakes, but one in which all is replaced is another word.
	 */
	best_distance = smaller(1 + word_len / 4, word_len - 1) + 1;
	for (const char *const *candidate = known; *candidate; candidate++) {
		size_t len = strlen(*candidate), d;

		if (len > WORD_LEN_MAX)
			continue;
		d = distance(word, word_len, *candidate, len);
		if (d < best_distance) {
			best_distance = d;
			best = *candidate;
		}
	}
	return best ? best : by_beginning(word, word_len, known);
}
