import { Modal, type ModalProps } from "@mantine/core";
import { createContext, useContext, useEffect, useRef, type ComponentProps, type FocusEvent, type RefObject } from "react";

const Saving = createContext<RefObject<boolean> | null>(null);

/** Above the page. It stays while what was typed into it is being saved: gone, it could not say what was refused. */
export function Dialog({ onClose, children, ...rest }: ModalProps) {
  const isSaving = useRef(false);
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      {...rest}
      onClose={() => {
        if (!isSaving.current) onClose();
      }}
    >
      <Saving value={isSaving}>{children}</Saving>
    </Modal>
  );
}

interface FormProps extends Omit<ComponentProps<"form">, "onSubmit" | "onFocus" | "inert"> {
  /** What it holds is on its way. */
  busy?: boolean;
  onSubmit: () => void;
}

/** Rests while it is being saved: what is typed by then would be saved by nobody. Who was in it is there again if it stays. */
export function Form({ busy = false, onSubmit, children, ...rest }: FormProps) {
  const savingRef = useContext(Saving);
  const last = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!busy) return;
    const focused = last.current;
    if (savingRef) savingRef.current = true;
    return () => {
      if (savingRef) savingRef.current = false;
      if (document.activeElement === document.body) focused?.focus();
    };
  }, [busy, savingRef]);
  return (
    <form
      {...rest}
      inert={busy}
      onFocus={(event: FocusEvent<HTMLElement>) => {
        last.current = event.target;
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) onSubmit();
      }}
    >
      {children}
    </form>
  );
}
