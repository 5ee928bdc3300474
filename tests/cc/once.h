// Test data that take longer to make than the tests that need them.
#ifndef FLATNOISE_TESTS_CC_ONCE_H_
#define FLATNOISE_TESTS_CC_ONCE_H_

#include <map>

namespace flatnoise {

// make(), called once per key by each place in the code.
template <class Key, class Make>
const auto& Once(const Key& key, const Make& make) {
  static std::map<Key, decltype(make())> made;
  auto found = made.find(key);
  if (found == made.end()) found = made.emplace(key, make()).first;
  return found->second;
}

}  // namespace flatnoise

#endif  // FLATNOISE_TESTS_CC_ONCE_H_
