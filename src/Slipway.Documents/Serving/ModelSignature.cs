using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Serving;

/// <summary>What goes into a model and what comes out.</summary>
public sealed record ModelSignature(ImmutableArray<TensorSpec> Inputs, ImmutableArray<TensorSpec> Outputs);

/// <param name="Shape">Sizes; −1 is any size from 1 on, and the first is the batch.</param>
/// <param name="Range">Allowed values, both ends included; null for any. Numeric datatypes only.</param>
/// <param name="Unit">For the reader: miles, minutes.</param>
public sealed record TensorSpec(string Name, Datatype Datatype, ImmutableArray<long> Shape, ValueRange? Range, string? Unit)
{
    /// <summary>Whether a row is a single value: what can be profiled as a column.</summary>
    [JsonIgnore]
    public bool HasOneValueARow => Shape is [-1 or 1, .. var rest] && rest.All(size => size == 1);

    /// <summary>Text or truth, whose values are told apart; else they are numbers.</summary>
    [JsonIgnore]
    public bool HasCategories => Datatype is Datatype.String or Datatype.Bool;
}

public sealed record ValueRange(double Low, double High);

/// <summary>Element types; the names are those that people write in a spec, see <c>Protocol</c> for the wire's.</summary>
[JsonConverter(typeof(NamedEnum<Datatype>))]
public enum Datatype
{
    [JsonStringEnumMemberName("bool")] Bool,
    [JsonStringEnumMemberName("uint8")] UInt8,
    [JsonStringEnumMemberName("uint16")] UInt16,
    [JsonStringEnumMemberName("uint32")] UInt32,
    [JsonStringEnumMemberName("uint64")] UInt64,
    [JsonStringEnumMemberName("int8")] Int8,
    [JsonStringEnumMemberName("int16")] Int16,
    [JsonStringEnumMemberName("int32")] Int32,
    [JsonStringEnumMemberName("int64")] Int64,
    [JsonStringEnumMemberName("float32")] Float32,
    [JsonStringEnumMemberName("float64")] Float64,
    [JsonStringEnumMemberName("string")] String,
}
