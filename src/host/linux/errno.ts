/** Numbers of errno, x86 and all others that Linux calls generic. /usr/include/asm-generic/errno.h */
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
/** EAGAIN is the same. */
export const EWOULDBLOCK = 11;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EPIPE = 32;
export const ERANGE = 34;
export const ENODATA = 61;
export const EOPNOTSUPP = 95;
