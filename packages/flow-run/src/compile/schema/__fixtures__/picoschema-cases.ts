// The cases of the Dotprompt specification's spec/picoschema.yaml, as data.
//
// Copyright 2025 Google LLC
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//     http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.
//
// SPDX-License-Identifier: Apache-2.0
import type { Json } from "@flow-run/spec";

export interface PicoschemaCase {
  name: string;
  notation: Json;
  expected: Json;
  /** The case needs schemas with names of their own. */
  named?: true;
}

export const PICOSCHEMA_CASES: PicoschemaCase[] = [
  {
    name: "simple_scalar_no_description (output)",
    notation: "string",
    expected: {"type":"string"},
  },
  {
    name: "input_and_output (input)",
    notation: "string",
    expected: {"type":"string"},
  },
  {
    name: "input_and_output (output)",
    notation: "string",
    expected: {"type":"string"},
  },
  {
    name: "simple_scalar_description (output)",
    notation: "number, the description",
    expected: {"type":"number","description":"the description"},
  },
  {
    name: "simple_scalar_description_no_whitespace (output)",
    notation: "number,the description",
    expected: {"type":"number","description":"the description"},
  },
  {
    name: "simple_scalar_description_with_commas (output)",
    notation: "number,the description, which has, multiple commas",
    expected: {"type":"number","description":"the description, which has, multiple commas"},
  },
  {
    name: "simple_scalar_description_extra_whitespace (output)",
    notation: "number,    the description",
    expected: {"type":"number","description":"the description"},
  },
  {
    name: "simple_object (output)",
    notation: {"field1":"boolean","field2":"string"},
    expected: {"type":"object","additionalProperties":false,"properties":{"field1":{"type":"boolean"},"field2":{"type":"string"}},"required":["field1","field2"]},
  },
  {
    name: "required_field (output)",
    notation: {"req":"string, required field","nonreq?":"boolean, optional field"},
    expected: {"type":"object","additionalProperties":false,"properties":{"req":{"type":"string","description":"required field"},"nonreq":{"type":["boolean","null"],"description":"optional field"}},"required":["req"]},
  },
  {
    name: "array_of_scalars (output)",
    notation: {"tags(array, list of tags)":"string, the tag","vector(array)":"number"},
    expected: {"type":"object","additionalProperties":false,"properties":{"tags":{"type":"array","description":"list of tags","items":{"type":"string","description":"the tag"}},"vector":{"type":"array","items":{"type":"number"}}},"required":["tags","vector"]},
  },
  {
    name: "nested_object_in_array_and_out (output)",
    notation: {"obj?(object, a nested object)":{"nest1?":"string"},"arr(array, array of objects)":{"nest2?":"boolean"}},
    expected: {"type":"object","additionalProperties":false,"properties":{"obj":{"type":["object","null"],"description":"a nested object","additionalProperties":false,"properties":{"nest1":{"type":["string","null"]}}},"arr":{"type":"array","description":"array of objects","items":{"type":"object","additionalProperties":false,"properties":{"nest2":{"type":["boolean","null"]}}}}},"required":["arr"]},
  },
  {
    name: "simple_json_schema_type (output)",
    notation: {"type":"string"},
    expected: {"type":"string"},
  },
  {
    name: "inferred_json_schema_from_properties (output)",
    notation: {"properties":{"foo":{"type":"string"}}},
    expected: {"type":"object","properties":{"foo":{"type":"string"}}},
  },
  {
    name: "enum_field (output)",
    notation: {"color?(enum, the enum)":["RED","BLUE","GREEN"]},
    expected: {"type":"object","properties":{"color":{"description":"the enum","enum":["RED","BLUE","GREEN",null]}},"additionalProperties":false},
  },
  {
    name: "any_field (output)",
    notation: {"first":"any","second?":"any, could be anything"},
    expected: {"type":"object","properties":{"first":{},"second":{"description":"could be anything"}},"additionalProperties":false,"required":["first"]},
  },
  {
    name: "wildcard_fields_with_other_fields (output)",
    notation: {"otherField":"string, another string","(*)":"any, whatever you want"},
    expected: {"additionalProperties":{"description":"whatever you want"},"properties":{"otherField":{"description":"another string","type":"string"}},"required":["otherField"],"type":"object"},
  },
  {
    name: "wildcard_fields_without_other_fields (output)",
    notation: {"(*)":"number, lucky number"},
    expected: {"additionalProperties":{"type":"number","description":"lucky number"},"properties":{},"type":"object"},
  },
  {
    name: "named_schema_override_description (output)",
    notation: "Foo, an overridden foo",
    expected: {"type":"number","description":"an overridden foo"},
    named: true,
  },
  {
    name: "nested_named_schema (output)",
    notation: {"foo":"Foo","foo2?":"Foo, this one is optional"},
    expected: {"type":"object","additionalProperties":false,"required":["foo"],"properties":{"foo":{"type":"number","description":"a foo"},"foo2":{"type":["number","null"],"description":"this one is optional"}}},
    named: true,
  },
  {
    name: "line_endings_crlf (input)",
    notation: "string",
    expected: {"type":"string"},
  },
  {
    name: "line_endings_crlf (output)",
    notation: "string",
    expected: {"type":"string"},
  },
];
