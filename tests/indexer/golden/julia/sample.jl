module Stars

using LinearAlgebra
export brightness

const LIMIT = 6.5

abstract type Body end

"""
A star with its magnitude.
"""
struct Star{T} <: Body
    name::String
    magnitude::T
end

"How bright it is."
function brightness(star::Star; base = 2.512)
    delta = LIMIT - star.magnitude
    if delta < 0
        return 0.0
    end
    return base^delta
end

visible(star) = star.magnitude < LIMIT

Base.show(io::IO, star::Star) = print(io, star.name)

macro dim(star)
    return :(brightness($star) / 2)
end

end # module
