/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation on the kernel, named by a word: what the model's operations are when they are done
 * for real. Shared by the actor (act.c) and by who tells it what to do (scenarios/model).
 */
#ifndef GNT_ATTACK_ACT_H
#define GNT_ATTACK_ACT_H

#include <stdint.h>

enum act_op {
	ACT_READ,     /* open(a, O_RDONLY) */
	ACT_WRITE,    /* open(a, O_WRONLY) */
	ACT_BOTH,     /* open(a, O_RDWR) */
	ACT_APPEND,   /* open(a, O_WRONLY | O_APPEND) */
	ACT_EMPTY,    /* open(a, O_WRONLY | O_TRUNC) */
	ACT_CREATE,   /* open(a, O_WRONLY | O_CREAT | O_EXCL) */
	ACT_TRUNCATE, /* truncate(a, 0) */
	ACT_UNLINK,
	ACT_RENAME,   /* a to b, which is not there */
	ACT_REPLACE,  /* a to b, which is */
	ACT_EXCHANGE, /* a and b */
	ACT_LINK,     /* b becomes another name of a */
	ACT_SYMLINK,
	ACT_MKDIR,
	ACT_RMDIR,
	ACT_MKNOD,	/* a pipe */
	ACT_CHMOD,	/* number[0]: the mode */
	ACT_CHOWN,	/* number[0]: the owner */
	ACT_EXECUTE,	/* number[0]: with which of act_args, a bit each; so for the next two */
	ACT_EXECUTE_AT, /* by a descriptor of a */
	ACT_SCRIPT,	/* a is a script whose interpreter is b */
	ACT_MEMORY,	/* a copy of a, in memory without a name, is executed */
	ACT_MAP,	/* anonymous memory is mapped executable */
	ACT_SOCKET,	/* number: family, type, protocol */
	ACT_CHROOT,	/* to where it is: the capability alone */
	ACT_NICE,
	ACT_BOOT, /* a call that the kernel finds wrong behind the capability */
	ACT_ACCOUNT,
	ACT_COUNT,
};

#define ACT_PATH_MAX 1024
/* What the program says of one that it was called for, and that went through. */
#define ACT_DONE "went through"

struct act_request {
	uint32_t op;
	int32_t number[3];
	char a[ACT_PATH_MAX];
	char b[ACT_PATH_MAX];
};

struct act_reply {
	int32_t error;		   /* errno, 0: it went through */
	int32_t pid;		   /* thread group that acted, in the initial pid namespace */
	uint64_t begin_ns, end_ns; /* CLOCK_REALTIME, around the operation */
};

static const char *const act_words[ACT_COUNT] = {
	"read",	  "write",  "both",    "append",   "empty",   "create",	    "truncate",
	"unlink", "rename", "replace", "exchange", "link",    "symlink",    "mkdir",
	"rmdir",  "mknod",  "chmod",   "chown",	   "execute", "execute-at", "script",
	"memory", "map",    "socket",  "chroot",   "nice",    "boot",	    "account",
};

#define ACT_ARGS 3
/* One is longer than what the engine looks at in one step. */
static const char *const act_args[ACT_ARGS] = {
	"-v",
	"",
	"--with-a-name-that-is-longer-than-32-bytes",
};

#endif
