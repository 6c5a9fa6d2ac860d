open Printf

(** A cell of the comb. *)
type cell =
  | Empty
  | Honey of float

exception Full of int

module Comb = struct
  type t = { cells : cell array; mutable used : int }

  let create size = { cells = Array.make size Empty; used = 0 }

  (* Puts honey into the next free cell. *)
  let fill comb grams =
    if comb.used >= Array.length comb.cells then raise (Full comb.used);
    comb.cells.(comb.used) <- Honey grams;
    comb.used <- comb.used + 1
end

module type KEEPER = sig
  val visit : Comb.t -> unit
end

let rec total = function
  | [] -> 0.
  | Empty :: rest -> total rest
  | Honey grams :: rest -> grams +. total rest

class bee name = object
  method buzz = printf "%s\n" name
end

let () = printf "%f\n" (total [])
