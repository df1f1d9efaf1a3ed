using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web;

/// <summary>One request of a browser that is signed in.</summary>
/// <param name="Now">Unix milliseconds.</param>
internal sealed record PageCall(ApiCall Call, Caller Caller, SessionSecret Session, long Now)
{
    /// <summary>Why the form that was just sent was not carried out; empty for a page that was asked for.</summary>
    public ImmutableArray<Fault> Faults { get; init; } = [];

    /// <summary>Of the answer: another than 200 where a page comes back with <see cref="Faults"/>.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>Fields of the form; empty for a page that was asked for.</summary>
    public ImmutableDictionary<string, string> Form { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The page's own path: a form's is below its page's.</summary>
    public required string Path { get; init; }

    public string Segment(string name) => Call.Segment(name);

    public string? Query(string name) => Call.Query(name);

    /// <summary>A field of the form; empty where it is missing.</summary>
    public string Field(string name) => Form.GetValueOrDefault(name, "").Trim();

    /// <summary>A field of several lines: browsers end them with two characters.</summary>
    public string Text(string name) => Field(name).Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>A reason for the change, as the API takes it.</summary>
    /// <exception cref="ApiProblem">None, or no line of text (400).</exception>
    public string Reason()
    {
        var reason = Field("reason");
        Require.Reason(reason);
        return reason;
    }

    /// <summary>A whole number of the form.</summary>
    /// <exception cref="ApiProblem">It is none (400).</exception>
    public int Number(string field) => int.TryParse(Field(field), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
        ? number
        : throw ApiProblem.Malformed("bad-form", $"the form's {field} is no number");

    /// <summary>The same call to something that the API answers as well.</summary>
    public ApiCall ForApi() => new(Call.Http, Caller);

    public PageContext Context() => new(Path, Now, Session.FormToken, Faults, Form.Remove("form")) { Caller = Caller };
}
