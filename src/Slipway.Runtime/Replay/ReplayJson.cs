using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Runtime.Replay;

[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ReplayJson : JsonSerializerContext;
