/** What is still there when something in it vanishes, from the inside to the outside. */
const PLACES = ['dialog', '.card', 'main'];

/**
 * Moves the focus to what was around it when what has it vanishes: the row of a session that was ended, a button that is
 * not needed any more. Otherwise a person at the keyboard would begin at the top of the page again.
 */
export function keepFocus(root: Element): void {
  let focused: Element | undefined;
  let around: HTMLElement[] = [];
  addEventListener('focusin', ({ target }) => {
    focused = target as Element;
    around = PLACES.flatMap((place) => focused!.closest<HTMLElement>(place) ?? []);
  });
  addEventListener('pointerdown', () => (focused = undefined)); // who clicks into nothing wants no focus
  new MutationObserver(() => {
    const isLost = focused && !focused.isConnected && document.activeElement === document.body;
    const place = around.find(({ isConnected }) => isConnected);
    if (!isLost || !place) return;
    const field = place.matches('dialog') ? place.querySelector<HTMLElement>('input') : null;
    place.tabIndex = -1;
    (field ?? place).focus();
  }).observe(root, { childList: true, subtree: true });
}
