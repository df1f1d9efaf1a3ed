using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Api;

/// <summary>A refusal with its HTTP status: 400 malformed, 401 who are you, 403 may not, 404 not there, 409 not in this state, 422 the verdict is bad.</summary>
/// <param name="faults">At least one.</param>
internal sealed class ApiProblem(int status, params IReadOnlyList<Fault> faults) : Exception(string.Join("; ", faults))
{
    public int Status => status;

    /// <summary>The first.</summary>
    public Fault Fault => faults[0];

    public IReadOnlyList<Fault> Faults => faults;

    /// <summary>What was sent is not what is taken here (400).</summary>
    public static ApiProblem Malformed(string code, string message, string? help = null) => Malformed([new Fault(code, message, Help: help)]);

    /// <inheritdoc cref="Malformed(string, string, string?)"/>
    public static ApiProblem Malformed(IReadOnlyList<Fault> faults) => new(StatusCodes.Status400BadRequest, faults);

    /// <summary>The token proves nobody (401).</summary>
    public static ApiProblem Unproven(string code, string message, string? help = null) => new(StatusCodes.Status401Unauthorized, new Fault(code, message, Help: help));

    /// <summary>Whoever it is may not (403).</summary>
    public static ApiProblem Forbidden(string code, string message, string? help = null) => new(StatusCodes.Status403Forbidden, new Fault(code, message, Help: help));

    /// <summary>There is nothing of that name (404).</summary>
    public static ApiProblem NotThere(string code, string message, string? help = null) => new(StatusCodes.Status404NotFound, new Fault(code, message, Help: help));

    /// <summary>Not as things stand (409).</summary>
    public static ApiProblem Conflict(string code, string message, string? help = null) => Conflict([new Fault(code, message, Help: help)]);

    /// <inheritdoc cref="Conflict(string, string, string?)"/>
    public static ApiProblem Conflict(IReadOnlyList<Fault> faults) => new(StatusCodes.Status409Conflict, faults);
}
