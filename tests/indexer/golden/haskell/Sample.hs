{-# LANGUAGE OverloadedStrings #-}
-- | Knots and ropes.
module Rope.Knot
  ( Knot (..)
  , tie
  ) where

import qualified Data.Map as Map
import Data.Text (Text)

-- | A knot by its name.
data Knot = Bowline | Reef Int
  deriving (Show, Eq)

newtype Rope = Rope { strands :: Int }

type Box = Map.Map Text Knot

class Tied a where
  strength :: a -> Double
  strength _ = 1

instance Tied Knot where
  strength Bowline = 0.7
  strength (Reef n) = fromIntegral n / 10

-- | Ties a knot into a rope.
tie :: Rope -> Knot -> Either Text Rope
tie rope Bowline = Right rope
tie rope (Reef n)
  | n > strands rope = Left "too many strands"
  | otherwise = Right rope { strands = strands rope - n }

untie :: Rope -> Rope
untie = id
