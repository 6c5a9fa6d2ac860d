library(stats)

GROWTH <- 0.04

#' Rings of a tree.
#' @param years how old it is
rings <- function(years, start = 1) {
  widths <- numeric(years)
  for (year in seq_len(years)) {
    widths[year] <- start * exp(-GROWTH * year)
  }
  widths
}

age = function(tree) length(tree$rings)

print.tree <- function(x, ...) {
  cat("a tree of", age(x), "years\n")
  invisible(x)
}

setClass("Tree", representation(rings = "numeric"))

setMethod("summary", "Tree", function(object) {
  mean(object@rings)
})

oak <- structure(list(rings = rings(80)), class = "tree")
print(oak)
