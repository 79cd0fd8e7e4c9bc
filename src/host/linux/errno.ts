/** Numbers of errno, x86 and all others that Linux calls generic. /usr/include/asm-generic/errno.h */
export const ESRCH = 3;
export const EWOULDBLOCK = 11;
export const ENODATA = 61;
export const EOPNOTSUPP = 95;
