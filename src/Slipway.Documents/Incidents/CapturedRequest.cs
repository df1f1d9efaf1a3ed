using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Incidents;

/// <summary>One request and its answer as a gateway captured them: a line of a capture file.</summary>
/// <param name="Key">See <see cref="PredictionKey"/>; the request's id itself is not captured.</param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Inputs">As the protocol has them: <c>[{"name", "datatype", "shape", "data"}]</c>.</param>
/// <param name="Outputs">Likewise; null where there was no answer.</param>
/// <param name="Dropped">Inputs that are left out.</param>
/// <param name="Masked">Inputs whose values were replaced.</param>
public sealed record CapturedRequest(
    string Model, int Version, Digest Bundle, TrafficArm Arm, string Key, long At, JsonElement Inputs, JsonElement? Outputs, ImmutableArray<string> Dropped, ImmutableArray<string> Masked);

/// <summary>Captured requests as the server keeps them: sealed for a key that it does not have.</summary>
/// <param name="From">Unix milliseconds of the first request; likewise <paramref name="To"/> of the last.</param>
/// <param name="Recipient">Id of the key that opens it.</param>
public sealed record CaptureInfo(string Id, string Model, string Channel, string Gateway, long From, long To, int Requests, long Size, string Recipient, long KeptUntil);
