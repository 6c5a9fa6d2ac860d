terraform {
  required_version = ">= 1.5"
}

variable "region" {
  type    = string
  default = "north"
}

# The bucket that holds the maps.
resource "aws_s3_bucket" "maps" {
  bucket = "maps-${var.region}"

  tags = {
    Owner = "survey"
    Stage = "test"
  }

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  names = ["alps", "jura"]
}

output "bucket" {
  value = aws_s3_bucket.maps.id
}
