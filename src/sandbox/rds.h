#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::rds {

void add_modify(Services& services);
void add_tags(Services& services);

}  // namespace fixpoint::sandbox::rds
