import { useEffect, useState } from "react";

/** A button that sounds the horn when visibility is poor. */
export function FogHorn({ visibilityMetres }: { visibilityMetres: number }) {
  const [sounding, setSounding] = useState(false);
  useEffect(() => {
    setSounding(visibilityMetres < 400);
  }, [visibilityMetres]);
  return <button disabled={!sounding}>Sound the horn</button>;
}
