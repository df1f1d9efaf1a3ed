using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Slipway.Documents;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Api;

/// <summary>One request to the server: who asks, what the path names, and how to answer.</summary>
internal sealed class ApiCall(HttpContext http, Caller caller)
{
    public HttpContext Http => http;

    public Caller Caller => caller;

    public CancellationToken Cancellation => http.RequestAborted;

    /// <summary>A segment of the path by its name.</summary>
    public string Segment(string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>A parameter of the query; null when it is missing or empty.</summary>
    public string? Query(string name) => http.Request.Query[name] is [{ Length: > 0 } value] ? value : null;

    /// <exception cref="ApiProblem">No such document (400): unknown and duplicate keys are refused, and so is a change without a reason.</exception>
    public async Task<T> ReadAsync<T>(JsonTypeInfo<T> type)
    {
        var document = await ParseAsync(type);
        if (document is IChangeRequest change)
            Require.Reason(change.Reason);
        return document;
    }

    private async Task<T> ParseAsync<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, Cancellation)
                ?? throw ApiProblem.Malformed("bad-request", "the body is null, expected a JSON document");
        }
        catch (JsonException e)
        {
            throw ApiProblem.Malformed("bad-request", $"the body is not the document that is expected here: {e.Message}");
        }
    }

    public async Task AnswerAsync<T>(T document, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var bytes = CanonicalJson.Serialize(document, type);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, Cancellation);
    }
}
