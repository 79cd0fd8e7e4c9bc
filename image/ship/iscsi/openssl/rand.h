/* RAND_bytes(3), by the kernel. */
#pragma once
#include <sys/random.h>

static inline int RAND_bytes(unsigned char *bytes, int length)
{
	return getrandom(bytes, length, 0) == length;
}
