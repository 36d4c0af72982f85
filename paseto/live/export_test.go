package live

import "unsafe"

// RightSize is what a Right takes by itself.
const RightSize = unsafe.Sizeof(Right{})

// Visited returns how many rights the keeper has looked at while its registry was locked.
func (k *Keeper) Visited() int {
	k.rights.mu.Lock()
	defer k.rights.mu.Unlock()
	return k.rights.visited
}
