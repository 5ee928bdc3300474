// Lets libraries that were built on a newer Linux run on older ones, down to glibc 2.28 and the
// libstdc++ of GCC 8, which are the oldest versions that TensorFlow's wheels support.
//
// Newer headers refer to a few symbols that older systems lack. This file defines them in terms of
// older symbols. The linker prefers these definitions over those in shared libraries and doesn't
// export them.

#include <features.h>
#include <pthread.h>

#include <exception>
#include <new>
#include <sstream>

// Since glibc 2.32: whether the process is single-threaded, so that libstdc++ can count references
// without atomic instructions. Here, it never assumes this.
extern "C" char __libc_single_threaded;
char __libc_single_threaded = 0;

// Since glibc 2.34, this symbol has a new version, in libc instead of libpthread. The old version
// is in both.
#if __GLIBC_PREREQ(2, 34)
extern "C" int OldPthreadOnce(pthread_once_t*, void (*)());
#if defined(__x86_64__)
__asm__(".symver OldPthreadOnce, pthread_once@GLIBC_2.2.5");
#else
__asm__(".symver OldPthreadOnce, pthread_once@GLIBC_2.17");
#endif
#else
extern "C" int OldPthreadOnce(pthread_once_t*, void (*)()) __asm__("__real_pthread_once");
#endif

extern "C" int __wrap_pthread_once(pthread_once_t* once, void (*function)());
int __wrap_pthread_once(pthread_once_t* once, void (*function)()) {
  return OldPthreadOnce(once, function);
}

// Exported since GCC 11, which made copies and destructors inline. Earlier versions export those
// instead, and they count the same references.
extern "C" void CopyExceptionPtr(void* copy, const void* pointer) __asm__(
    "_ZNSt15__exception_ptr13exception_ptrC1ERKS0_");
extern "C" void DestroyExceptionPtr(void* pointer) __asm__(
    "_ZNSt15__exception_ptr13exception_ptrD1Ev");

namespace std {

// Since GCC 11.
void __throw_bad_array_new_length() __attribute__((__noreturn__));
void __throw_bad_array_new_length() { throw bad_array_new_length(); }

// Since GCC 9.
template basic_stringstream<char>::basic_stringstream();

namespace __exception_ptr {

void exception_ptr::_M_addref() noexcept {
  alignas(exception_ptr) unsigned char never_destroyed[sizeof(exception_ptr)];
  CopyExceptionPtr(never_destroyed, this);
}

void exception_ptr::_M_release() noexcept { DestroyExceptionPtr(this); }

}  // namespace __exception_ptr
}  // namespace std
